"""What can go wrong with files."""

from vivero_web.errors import NotFoundError, TooLargeError, UnavailableError


class FileNotFoundHereError(NotFoundError):
    """The workspace has no such file."""

    def __init__(self) -> None:
        super().__init__("There is no such file.")


class FileTooLargeError(TooLargeError):
    """A single file's bound, whatever the plan."""

    def __init__(self, bound: int) -> None:
        super().__init__(f"A file may have at most {bound:,} bytes.")


class UploadsBusyError(UnavailableError):
    """Other uploads fill the disk that the pod has for them."""

    def __init__(self) -> None:
        super().__init__("Other uploads are running; try again in a moment.")
