variable "kubeconfig" {
  description = "Path of the kubeconfig file (`./vivero status --json` names it)."
  type        = string
  nullable    = false
}

variable "manifests_dir" {
  description = "Folder of rendered charts."
  type        = string
  nullable    = false
}

variable "keep_definitions" {
  description = "Leave the custom resource definitions in place on destroy."
  type        = bool
  default     = true
}

variable "force_conflicts" {
  description = "Take over what ./vivero installed through Helm."
  type        = bool
  default     = false
}
