"""Training of the gongkai models: data sets, encoder, joint model, distillation. Needs the extra `train`."""
