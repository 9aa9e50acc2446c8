// Command worker runs Framebridge's workflows and activities against a Temporal server.
package main

import "github.com/framebridge/framebridge/worker/process"

func main() { process.Main() }
