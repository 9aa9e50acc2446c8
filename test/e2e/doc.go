// Package e2e tests the whole of Framebridge from outside: real processes that are killed, a real Temporal server, both
// vendors simulated. The tests carry the build tag integration.
package e2e
