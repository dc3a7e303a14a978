module hinny/benches/load/go-peer

go 1.22
