"""How networks are made: changed and made-up training data, the full recipe, and fine-tuning to a person."""
