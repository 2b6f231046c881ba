"""The paper's Tables III and IV, trained and tracked anew: ``python -m benchmarks.ablation``. See docs/ablation.rst."""
