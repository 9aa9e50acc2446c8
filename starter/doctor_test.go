package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/doctor"
)

func TestTheReportForPeopleNamesWhatIsWrong(t *testing.T) {
	r := doctor.Report{Checks: []doctor.Check{{ID: "config.valid", Status: doctor.OK, Seen: "fine"},
		{ID: "mail.server", Status: doctor.Warn, Seen: "none", Meaning: "Nobody is told.", Do: "Set it."}, {ID: "iconik.token", Tenant: tenantA, Status: doctor.Fail, Seen: "401", Meaning: "Refused.", Do: "Make one."}}}
	var b bytes.Buffer
	require.NoError(t, printReport(&b, r, false))
	text := b.String()
	assert.NotContains(t, text, "config.valid")
	assert.Contains(t, text, "WARN  mail.server: none\n      Nobody is told.\n      → Set it.")
	assert.Contains(t, text, "Tenant "+tenantA+"\nFAIL  iconik.token: 401")
	assert.Contains(t, text, "3 checks: 1 ok, 1 warning, 1 failed, 0 skipped")
	assert.Equal(t, 2, r.ExitCode())
	assert.True(t, strings.HasSuffix(text, "\n"))
}
