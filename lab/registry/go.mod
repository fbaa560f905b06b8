module kcompanion.dev/lab/registry

go 1.26
