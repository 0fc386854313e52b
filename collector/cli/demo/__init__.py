"""`edge-collector demo`: PLCs, Fleet server, broker and collector on one machine, and a live view of it all."""
