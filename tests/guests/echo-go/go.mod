module echo-go

go 1.24
