module hostname-class

go 1.24
