variable "manifests_dir" {
  description = "Folder of rendered charts (`helm template --output-dir`); every *.yaml below it is applied."
  type        = string
  nullable    = false

  validation {
    condition     = length(fileset(var.manifests_dir, "**/*.yaml")) > 0
    error_message = "The folder manifests_dir holds no *.yaml: render the charts into it first."
  }
}

variable "keep_definitions" {
  description = "Leave the custom resource definitions in place on destroy: with them every Tenant would go."
  type        = bool
  default     = true
  nullable    = false
}

variable "force_conflicts" {
  description = "Take fields over from another manager, for example from an earlier installation by Helm."
  type        = bool
  default     = false
  nullable    = false
}

variable "wait_for_rollout" {
  description = "Whether an apply ends only when each Deployment has rolled out."
  type        = bool
  default     = true
  nullable    = false
}
