"""The views of the page, a folder each: Python, words, html, css and JavaScript of one name."""
