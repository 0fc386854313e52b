"""OPC-UA over asyncua. Only what talks to a server imports the library, and only at the first connection."""
