"""The console's shell: menu and home. Screens stay in their feature."""
