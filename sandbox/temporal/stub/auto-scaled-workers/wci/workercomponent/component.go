// Package workercomponent replaces the worker of Temporal's auto-scaled workers. There is none.
package workercomponent

import "go.uber.org/fx"

// Module adds nothing.
var Module = fx.Options()
