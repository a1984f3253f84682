output "objects" {
  description = "What was applied, as apiVersion/kind/[namespace/]name."
  value       = module.platform.objects
}
