"""What goes wrong, as a sentence that says what to do."""


class ModelsError(Exception):
    """The command ends with this sentence."""
