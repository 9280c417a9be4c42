class EvermodelError(Exception):
    """What a user did not want to see, in one plain sentence.

    It names the file or the key, what is wrong with it, and what to do next. Commands and stages print
    it without a traceback and exit with a code other than 0.
    """


class UnusableError(Exception):
    """Why one of many files can't be used, as the end of a sentence that begins with its name."""
