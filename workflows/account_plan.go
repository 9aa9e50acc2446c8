package workflows

type (
	// AccountPlan is what a migration would do.
	AccountPlan struct {
		Projects int64 `json:"projects"`
		Files    int64 `json:"files"`
		Bytes    int64 `json:"bytes"`
		Folders  int64 `json:"folders"`
		Comments int64 `json:"comments"`
		// CommentsNotCounted says that Frame.io does not count the comments of some or all files: there are more than Comments.
		CommentsNotCounted bool             `json:"comments_not_counted,omitempty"`
		Shares             int64            `json:"shares"`
		ByType             []PlanType       `json:"by_type"` // the largest first
		ByAge              []PlanAge        `json:"by_age"`
		Blockers           []AccountBlocker `json:"blockers"`
		Access             AccountAccess    `json:"access"`
		NotCarried         []PlanNotCarried `json:"not_carried"`
		Time               PlanTime         `json:"time"`
		Cost               *PlanCost        `json:"cost"` // nil: the configuration has no prices
		APICalls           int64            `json:"api_calls"`
		// BlockersMore counts blockers beyond those listed.
		BlockersMore int `json:"blockers_more,omitempty"`
	}
	// PlanAge counts the files of one age, by upload date.
	PlanAge struct {
		Age   string `json:"age"`
		Count int64  `json:"count"`
		Bytes int64  `json:"bytes"`
	}
	// AccountBlocker is a project, or the files of one that cannot be brought over for one reason. Without a project, it concerns
	// the whole account.
	AccountBlocker struct {
		ProjectID string `json:"project_id,omitempty"`
		Project   string `json:"project,omitempty"`
		Why       string `json:"why"`
		Outcome   string `json:"outcome"`
		Files     int64  `json:"files,omitempty"`
		Bytes     int64  `json:"bytes,omitempty"`
		Path      string `json:"path,omitempty"` // of one of them
	}
	// AccountAccess says who will see what in iconik, apart from administrators.
	AccountAccess struct {
		Mode       string          `json:"mode"`       // archive.access
		Open       int64           `json:"open"`       // projects under iconik's default access
		Restricted int64           `json:"restricted"` // projects that only some people can read
		Within     int64           `json:"within"`     // folders and collections with their own readers
		Places     []AccountReader `json:"places"`     // the restricted ones
		PlacesMore int             `json:"places_more,omitempty"`
		Unmapped   []string        `json:"unmapped"` // Frame.io's people and groups without access
		// UnmappedMore counts people and groups beyond those listed.
		UnmappedMore int `json:"unmapped_more,omitempty"`
	}
	// AccountReader is a place and who may read it.
	AccountReader struct {
		ProjectID string   `json:"project_id"`
		Project   string   `json:"project"`
		Place     string   `json:"place,omitempty"` // empty: the whole project
		Readers   []string `json:"readers"`
	}
	// PlanNotCarried is what iconik or Frame.io's API cannot provide, by kind. Count is nil if it is known only once the archive
	// runs.
	PlanNotCarried struct {
		Kind   string `json:"kind"`
		Count  *int64 `json:"count"`
		Reason string `json:"reason"`
	}
	// PlanTime is the least time in seconds, by the vendors' rate limits and by bandwidth.
	PlanTime struct {
		Limits         float64 `json:"limits"`
		Bytes          float64 `json:"bytes"`
		BytesPerSecond int64   `json:"bytes_per_second"`
	}
	// PlanCost is what the configuration's prices come to.
	PlanCost struct {
		Currency  string        `json:"currency"`
		GiB       float64       `json:"gib"`     // brought over
		Minutes   float64       `json:"minutes"` // of video and audio
		Storage   []StorageCost `json:"storage"`
		Egress    float64       `json:"egress"`    // once
		Transcode float64       `json:"transcode"` // once
	}
	// StorageCost is the price of a class of storage for a month.
	StorageCost struct {
		Class    string  `json:"class"`
		PerMonth float64 `json:"per_month"`
	}
)

// CommentsText returns the number of the account's comments as text for people.
func (p AccountPlan) CommentsText() string {
	return Plan{Comments: p.Comments, CommentsNotCounted: p.CommentsNotCounted}.CommentsText()
}
