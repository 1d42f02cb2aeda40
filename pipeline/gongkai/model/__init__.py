"""What the trained model needs at run time, without torch: windows in, spans and relations out."""
