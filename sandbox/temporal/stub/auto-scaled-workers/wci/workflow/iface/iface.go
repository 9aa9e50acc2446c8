// Package iface has the types of Temporal's auto-scaled workers that its server uses. The sandbox's server scales nothing.
package iface

import (
	"time"

	"go.temporal.io/api/common/v1"
	"go.temporal.io/api/enums/v1"
)

// Names of compute providers and scaling algorithms.
type (
	ComputeProviderType  string
	ScalingAlgorithmType string
)

// ComputeProviderSpec is where workers would run.
type ComputeProviderSpec struct {
	ProviderType  ComputeProviderType `json:"provider_type,omitempty"`
	Config        *common.Payload     `json:"config,omitempty"`
	NexusEndpoint string              `json:"nexus_endpoint,omitempty"`
}

// ScalingAlgorithmSpec is when there would be more of them.
type ScalingAlgorithmSpec struct {
	ScalingAlgorithm ScalingAlgorithmType `json:"scaling_algorithm,omitempty"`
	Config           *common.Payload      `json:"config,omitempty"`
}

// ScalingGroupSpec has both for some kinds of tasks.
type ScalingGroupSpec struct {
	TaskTypes []enums.TaskQueueType `json:"task_types"`
	Compute   ComputeProviderSpec   `json:"compute"`
	Scaling   *ScalingAlgorithmSpec `json:"scaling,omitempty"`
}

// ScalingGroupSpecUpdate changes some fields of a group.
type ScalingGroupSpecUpdate struct {
	Spec       ScalingGroupSpec `json:"spec"`
	UpdateMask []string         `json:"update_mask"`
}

// WorkerControllerInstanceSpec has all groups of a deployment's version.
type WorkerControllerInstanceSpec struct {
	ScalingGroupSpecs map[string]ScalingGroupSpec `json:"scaling_group_specs"`
}

// QueryDescribeWorkerControllerInstanceResponse would be the answer to a description.
type QueryDescribeWorkerControllerInstanceResponse struct {
	Spec             *WorkerControllerInstanceSpec `json:"spec,omitempty"`
	ValidationStatus *ValidationStatus             `json:"validation_state,omitempty"`
}

// UpdateWorkerControllerInstanceResponse would be the answer to an update.
type UpdateWorkerControllerInstanceResponse struct {
	Spec *WorkerControllerInstanceSpec `json:"spec,omitempty"`
}

// ValidationResult is whether workers could be started.
type ValidationResult string

// ValidationResultFailed is the one that the server looks for.
const ValidationResultFailed ValidationResult = "failed"

// ValidationStatus is the last attempt and its result.
type ValidationStatus struct {
	LastValidationTime time.Time        `json:"last_validation_time"`
	Status             ValidationResult `json:"status"`
	ErrMessage         string           `json:"err_message,omitempty"`
}
