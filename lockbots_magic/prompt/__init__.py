"""Contents of prompts: templates, files, cells, images, values, personas, and the preview of a request.

Import from the modules: most prompts need none of them.
"""
