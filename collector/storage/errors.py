"""What can go wrong with the disk, and what each kind asks of the caller.

StorageError
├── DataFolderInUse   another process works in the folder; end, and say so
└── StorageFailed     disk broken or away; keep what there is in memory, open the file anew and verify it
    ├── DiskFull      no room; the file itself is well: drop the oldest to make some, try again
    ├── ReadOnly      nothing may be written there; the file is well, open it anew now and then
    └── DamagedFile   the file can be read, but not believed; set it aside and begin anew
"""


class StorageError(Exception):
    """Root of everything the storage raises on purpose."""


class DataFolderInUse(StorageError):
    """Another process holds the data folder."""


class StorageFailed(StorageError):
    """The disk, or the file on it, refused."""


class DiskFull(StorageFailed):
    """There is no room to write: on the disk, or within the file's own limit."""


class ReadOnly(StorageFailed):
    """The file system, or the folder's permissions, let nothing be written."""


class DamagedFile(StorageFailed):
    """The file is not one of ours, or no longer whole."""
