module kcompanion.dev/lab/cni

go 1.26
