module risk-score

go 1.24
