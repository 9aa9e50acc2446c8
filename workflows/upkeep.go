package workflows

import (
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"
)

// The activities of a tenant's upkeep. Package activities/upkeep implements them.
var (
	ActSampleBytes  = declare[UpkeepDay, UpkeepResult]("SampleBytes")
	ActForgetPeople = declare[UpkeepDay, UpkeepResult]("ForgetPeople")
)

type (
	// UpkeepInput names a tenant.
	UpkeepInput struct {
		Tenant string `json:"tenant"`
	}
	// UpkeepDay is one day of a tenant's upkeep.
	UpkeepDay struct {
		Tenant string `json:"tenant"`
		Day    string `json:"day"` // such as 2026-11-29, in UTC
	}
	// UpkeepResult is what a day's work amounted to.
	UpkeepResult struct {
		// Off says that the configuration asks for none of it.
		Off      bool  `json:"off,omitempty"`
		Files    int64 `json:"files,omitempty"`
		Bytes    int64 `json:"bytes,omitempty"`
		Problems int64 `json:"problems,omitempty"`
	}
)

// Upkeep does once a day what a tenant's archives and ledger need over the years: it reads back a sample of the stored bytes, and
// forgets people after the retention period. It ends when the configuration asks for neither; the starter starts it again.
func Upkeep(ctx workflow.Context, in UpkeepInput) error {
	for range upkeepDays {
		day := UpkeepDay{Tenant: in.Tenant, Day: workflow.Now(ctx).UTC().Format(time.DateOnly)}
		off := true
		for _, part := range []struct {
			act     Activity[UpkeepDay, UpkeepResult]
			summary string
		}{{ActSampleBytes, "read a sample of the stored bytes back"}, {ActForgetPeople, "forget people after the retention"}} {
			res, err := part.act.Execute(forWalks(ctx, part.summary), day)
			if temporal.IsCanceledError(err) {
				return err
			}
			if err != nil { // tomorrow is another day
				workflow.GetLogger(ctx).Error("upkeep failed", "tenant", in.Tenant, "error", err)
			}
			off = off && err == nil && res.Off
		}
		if off {
			return nil
		}
		if err := workflow.Sleep(ctx, upkeepInterval); err != nil {
			return err
		}
	}
	return workflow.NewContinueAsNewError(ctx, UpkeepName, in)
}
