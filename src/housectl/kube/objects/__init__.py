"""Typed views of Kubernetes objects; fields that housectl does not read are left out."""
