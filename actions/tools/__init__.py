"""What steps may ask for, as Protocols, a file for each kind of tool. The adapters are in `workers/`."""
