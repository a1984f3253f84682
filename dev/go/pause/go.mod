module vivero.dev/dev/pause

go 1.24.0
