module ioc-tags

go 1.24
