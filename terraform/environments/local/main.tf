# The local platform of ./vivero: its kubeconfig, and charts rendered beforehand.

terraform {
  required_version = ">= 1.9"

  required_providers {
    kubectl = {
      source  = "gavinbunney/kubectl"
      version = "~> 1.19"
    }
  }
}

provider "kubectl" {
  config_path       = var.kubeconfig
  load_config_file  = true
  apply_retry_count = 3 # a webhook or a definition may need a moment after its own apply
}

module "platform" {
  source = "../../modules/platform"

  manifests_dir    = var.manifests_dir
  keep_definitions = var.keep_definitions
  force_conflicts  = var.force_conflicts
}
