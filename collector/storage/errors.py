"""What can go wrong with the disk, and what each kind asks of the caller.

StorageError
├── DataFolderInUse   another process works in the folder; end, and say so
└── StorageFailed     disk broken or away; keep what there is in memory, open the file anew
    ├── NotWritable   disk full or read-only; the file itself is well, try again
    └── DamagedFile   the file can be read, but not believed; set it aside and begin anew
"""


class StorageError(Exception):
    """Root of everything the storage raises on purpose."""


class DataFolderInUse(StorageError):
    """Another process holds the data folder."""


class StorageFailed(StorageError):
    """The disk, or the file on it, refused."""


class NotWritable(StorageFailed):
    """There is no room, or no permission, to write."""


class DamagedFile(StorageFailed):
    """The file is not one of ours, or no longer whole."""
