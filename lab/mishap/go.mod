module kcompanion.dev/lab/mishap

go 1.26
