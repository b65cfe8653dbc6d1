"""Tools > Retrain models: data, audit, training, comparison, promotion."""
