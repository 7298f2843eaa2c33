"""The one flow: observe, plan, preview, apply, settle, verify. Nothing here prints."""
