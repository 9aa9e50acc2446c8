// Package workercomponent stands for the worker of Temporal's auto-scaled workers: there is none.
package workercomponent

import "go.uber.org/fx"

// Module adds nothing.
var Module = fx.Options()
