"""What the programs that check the counterparts share."""


def fails(kind, body, text=""):
    """Whether the library fails as it does with the real service."""
    try:
        body()
    except kind as error:
        assert text in str(error), error
        return
    raise AssertionError("no %s" % kind.__name__)
