"""LS ELECTRIC XGT: the dedicated protocol of its Ethernet modules (FEnet) over TCP."""
