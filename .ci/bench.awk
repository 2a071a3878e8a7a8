# Turns the output of "go test -bench -benchmem" into a Markdown table. Columns
# are found by their unit, as a benchmark may report units of its own.
BEGIN {
	print "| package | benchmark | ns/op | B/op | allocs/op | others |"
	print "|---|---|--:|--:|--:|---|"
}
$1 == "pkg:" {
	pkg = $2
	sub(/^.*\/sfukit\/?/, "", pkg)
	if (pkg == "") pkg = "sfukit"
}
/^Benchmark/ && NF >= 4 {
	name = $1
	sub(/^Benchmark/, "", name)
	sub(/-[0-9]+$/, "", name)
	ns = bytes = allocs = "–"
	others = ""
	for (i = 3; i < NF; i += 2) {
		unit = $(i + 1)
		if (unit == "ns/op") ns = $i
		else if (unit == "B/op") bytes = $i
		else if (unit == "allocs/op") allocs = $i
		else others = others (others == "" ? "" : ", ") $i " " unit
	}
	printf "| %s | %s | %s | %s | %s | %s |\n", pkg, name, ns, bytes, allocs, others
}
