"""The ReplicaSet controller: kcompanion's reconcile core, driven by watches, a queue and a client."""
