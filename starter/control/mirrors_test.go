package control

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"

	"github.com/framebridge/framebridge/plan/account"
)

func TestAMirrorsTimes(t *testing.T) {
	week := []client.ScheduleRange{{Start: 0, End: 6}}
	for _, tt := range []struct {
		mirror Mirror
		days   []client.ScheduleRange
		hour   int
		zone   string
	}{
		{Mirror{}, week, 2, "UTC"},
		{Mirror{At: "23:30", Days: "mon-fri", Zone: "Europe/Berlin"}, []client.ScheduleRange{{Start: 1, End: 5}}, 23, "Europe/Berlin"},
		{Mirror{Days: "SAT, sun"}, []client.ScheduleRange{{Start: 6, End: 6}, {Start: 0, End: 0}}, 2, "UTC"},
		{Mirror{Days: "fri-mon"}, []client.ScheduleRange{{Start: 5, End: 6}, {Start: 0, End: 1}}, 2, "UTC"},
	} {
		spec, err := tt.mirror.withDefaults().spec()
		require.NoError(t, err)
		assert.Equal(t, tt.days, spec.Calendars[0].DayOfWeek)
		assert.Equal(t, one(tt.hour), spec.Calendars[0].Hour)
		assert.Equal(t, []any{tt.zone, 10 * time.Minute}, []any{spec.TimeZoneName, spec.Jitter})
	}
	for field, m := range map[string]Mirror{
		"name": {Name: "Nightly run"}, "at": {At: "24:00"}, "days": {Days: "mon-"}, "zone": {Zone: "Mars/Olympus"}, "selection.status": {Selection: account.Selection{Status: "old"}},
	} {
		_, err := m.withDefaults().spec()
		var wrong *account.FieldError
		require.ErrorAs(t, err, &wrong, field)
		assert.Equal(t, field, wrong.Field)
	}
}
