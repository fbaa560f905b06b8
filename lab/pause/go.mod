module kcompanion.dev/lab/pause

go 1.26
