"""The gateway itself as a device: its processor, memory, disks, network and temperature, through psutil."""
