"""The page. Only this package and app.py import gradio; no arithmetic of the model lives here."""
