"""How the shipped networks are made."""
