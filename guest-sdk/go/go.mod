module tenter

go 1.24
