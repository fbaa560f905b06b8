"""The pure core of the ReplicaSet controller: what it decides, without I/O and without a clock."""
