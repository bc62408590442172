// Package coverage says which of a team's alerts the tests of a package have moved: which
// fired, which were resolved, and which never moved whatever the tests did.
//
//	func TestMain(m *testing.M) {
//		os.Exit(coverage.Suite{M: m, Files: []string{"alerts/*.yaml"}}.Run())
//	}
//
// Every monitor of the process counts when it is closed, in tests that run at once, too;
// one that is never closed does not count. An alert is known by its file, its line and its
// name. A Suite fits where a *testing.M does: goleak.VerifyTestMain(coverage.Suite{M: m}).
//
// The report names the worst first:
//
//	coverage of 4 alerts: 1 fired and was resolved, 1 never moved, 2 are in no monitor
//	  in no monitor           alerts/disk.yaml:4: group "disk": DiskFull
//	  in no monitor           alerts/disk.yaml:9: group "disk": DiskSlow
//	  never moved             alerts/shop.yaml:12: group "shop": QueueFull; no series matches shop_queue_length
//	  fired, resolved         alerts/shop.yaml:4: group "shop": CheckoutFails 2 times in TestOutage
//
// go test shows what a passing package prints only with -v: Suite.File is a file in which
// the report stays.
package coverage
