"""The panel of a drawing pad with which a class hands in its drawings: ``DrawingPad(panels=[SubmitPanel()])``."""

from digitlab.panels import LabelPanel
from digitlab.widgets import button
from digitlab_classroom.submissions import NotSubmittedError, SubmissionStore


class SubmitPanel(LabelPanel):
    """A button that hands the drawing in to the class, with its label.

    Parameters
    ----------
    store : SubmissionStore, optional
        The class's drawings; by default those of the class that this computer belongs to.
    """

    def __init__(self, store: SubmissionStore | None = None):
        self.store = SubmissionStore() if store is None else store
        tooltip = "Give this drawing to the class, as the digit that you meant"
        super().__init__(
            "Hand in to your class",
            "handed in so far",
            "submitted",
            [button("Hand in", tooltip, self._submit_pressed)],
        )
        words = "Your class sees it under the name of an animal, not under yours."
        pending = self.store.pending()
        if pending:
            words += f" {pending} that could not be handed in before will go along."
        self.say(words)
        self.count(self.store.own)

    def submit(self, label: int | str) -> int:
        """Hand the drawing in; then clear the canvas.

        Parameters
        ----------
        label : int or str
            The digit that was meant, 0 to 9.

        Returns
        -------
        int
            How many drawings this writer has handed in by now.

        Raises
        ------
        ValueError
            Where nothing is drawn, the label is no digit, or there are too many drawings.
        NotSubmittedError
            Where the drawing could only be kept, to be handed in with the next one; the canvas is cleared as well.
        OSError
            Where the drawing could not be kept anywhere; it stays on the canvas.
        """
        ink = self.labelled_ink(label)
        try:
            count = self.store.submit(ink, label)
        except NotSubmittedError:
            self.pad.clear()
            raise
        self.pad.clear()
        return count

    def _submit_pressed(self):
        try:
            count = self.submit(self.label)
        except NotSubmittedError as error:  # It is kept on this seat.
            self.say_kept(str(error))
        except ValueError as error:
            self.refuse(error)
        except OSError as error:
            self.say(f"{error} It is still on the canvas.")
        else:
            self.count(self.store.own)
            self.say_kept(f"Handed in as {self.store.writer}: {count} so far.")
