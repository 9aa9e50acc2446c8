package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/workflows"
)

func TestAnAccountsPlanIsReadable(t *testing.T) {
	three := int64(3)
	var out strings.Builder
	require.NoError(t, printAccountPlan(&out, workflows.AccountPlan{
		Projects: 40, Files: 1207, Bytes: 3 << 30, Folders: 41, Comments: 120, Shares: 9, APICalls: 11000,
		ByType: []workflows.PlanType{{MediaType: "video/quicktime", Count: 1, Bytes: 2 << 30}, {Count: 1206, Bytes: 1 << 30}},
		ByAge:  []workflows.PlanAge{{Age: "less than 30 days", Count: 1207, Bytes: 3 << 30}},
		Blockers: []workflows.AccountBlocker{
			{ProjectID: "b", Project: "Uploads", Why: "the upload to Frame.io was never completed", Outcome: "skipped", Files: 3, Bytes: 100, Path: "Gate 3.mov"}, {ProjectID: "c", Why: "403 Forbidden", Outcome: "not migrated"},
			{Why: "iconik has no storage for files", Outcome: "every archive would fail at the start"},
		},
		BlockersMore: 2,
		Access:       workflows.AccountAccess{Mode: "source", Open: 38, Restricted: 2, Within: 1, Places: []workflows.AccountReader{{Project: "Casting", Readers: []string{"nora@northpoint.example"}}, {Project: "Casting", Place: "Tapes"}}, Unmapped: []string{"group Legal"}},
		NotCarried:   []workflows.PlanNotCarried{{Kind: "original", Count: &three, Reason: "not given"}, {Kind: "like", Reason: "counted later"}},
		Time:         workflows.PlanTime{Limits: 3700, Bytes: 32, BytesPerSecond: 100e6},
		Cost:         &workflows.PlanCost{Currency: "USD", GiB: 3, Minutes: 12, Storage: []workflows.StorageCost{{Class: "Standard", PerMonth: 0.069}}, Egress: 0.27, Transcode: 0.18},
	}))
	for _, want := range []string{
		"Projects           40\n", "about 11000, at least 1 hour 1 minute under the vendors' limits", "about 32 seconds at 95.4 MiB/s", "Storage, Standard  0.07 USD a month for 3.0 GiB", "0.18 USD once, for 12 minutes",
		"unknown          1206 files", "38 projects with iconik's default access, 2 restricted; 1 place (folders, collections) with their own readers",
		"  Casting: nora@northpoint.example\n  Casting / Tapes: administrators only\n", "Without access in iconik: group Legal", "  3 original: not given\n  any like: counted later\n",
		"  Uploads (3 files, 100 B): the upload to Frame.io was never completed → skipped\n  c: 403 Forbidden → not migrated\n  The account: iconik has no storage", "… and 2 more",
	} {
		assert.Contains(t, out.String(), want)
	}
}
