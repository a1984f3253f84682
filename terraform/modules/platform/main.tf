# The platform as a cluster sees it: what the charts render, applied in three
# waves, because a server knows a kind only after its definition and an object
# needs its namespace. Rendering stays Helm's job, so that a self-hosted
# installation, ./vivero and Terraform install the same bytes.

locals {
  # A document starts at a line of three hyphens; one that is only comments is none.
  texts = flatten([
    for file in sort(fileset(var.manifests_dir, "**/*.yaml")) : [
      for text in split("\n---", "\n${file("${var.manifests_dir}/${file}")}") :
      text if length(regexall("(?m)^[^#\\s]", text)) > 0
    ]
  ])

  # A key twice is an error here, as it should be: the second object would overwrite the first.
  documents = { for text in local.texts : local.key[text] => text }

  parsed = { for text in local.texts : text => yamldecode(text) }
  key = {
    for text, object in local.parsed : text => join("/", compact([
      object.apiVersion, object.kind, try(object.metadata.namespace, ""), object.metadata.name,
    ]))
  }

  # A state file is no place for a secret: the charts name Secrets that exist already.
  secrets = [for text, object in local.parsed : local.key[text] if object.kind == "Secret"]

  wave = {
    for text, object in local.parsed : local.key[text] =>
    object.kind == "CustomResourceDefinition" ? "definition" : object.kind == "Namespace" ? "namespace" : "object"
  }
  definitions = { for key, text in local.documents : key => text if local.wave[key] == "definition" }
  namespaces  = { for key, text in local.documents : key => text if local.wave[key] == "namespace" }
  objects     = { for key, text in local.documents : key => text if local.wave[key] == "object" }
}

resource "kubectl_manifest" "definition" {
  for_each = local.definitions

  yaml_body         = each.value
  server_side_apply = true
  force_conflicts   = var.force_conflicts
  apply_only        = var.keep_definitions
  wait              = true
}

resource "kubectl_manifest" "namespace" {
  for_each = local.namespaces

  yaml_body         = each.value
  server_side_apply = true
  force_conflicts   = var.force_conflicts
  wait              = true
}

resource "kubectl_manifest" "object" {
  for_each = local.objects

  yaml_body         = each.value
  server_side_apply = true
  force_conflicts   = var.force_conflicts
  wait_for_rollout  = var.wait_for_rollout
  wait              = true

  lifecycle {
    precondition {
      condition     = length(local.secrets) == 0
      error_message = "Secrets do not pass through Terraform, whose state would hold them: ${join(", ", local.secrets)}"
    }
  }

  depends_on = [kubectl_manifest.definition, kubectl_manifest.namespace]
}
