import './style.css';

const page = document.getElementById('page');
if (page) page.textContent = 'Lumbar';
